/**
 * Weak entity tags from version numbers (RFC 7644 section 3.14), and the comparison that If-Match and If-None-Match ask for.
 * Knows no headers by name.
 */

/** `W/"3"`: weak, because two renderings of one version may differ in bytes. */
export const etagOf = (version: number | string): string => `W/"${version}"`

const opaque = (tag: string): string => tag.trim().replace(/^W\//i, '').replace(/^"(.*)"$/, '$1')

/**
 * Whether a header value (`*`, one tag or several) names the version. Compared weakly (RFC 9110 section 8.8.3.2); quotes may be
 * missing, as some clients send the bare `meta.version`.
 */
export const matchesEtag = (header: string, version: number | string): boolean =>
  header.trim() === '*' || header.split(',').some((tag) => opaque(tag) === String(version))
