/**
 * The id under which a mapping by `entitlement` is offered to identity providers (`/Roles` and `/Entitlements`). Made of the
 * mapping's id alone, so that it stays as long as the mapping does. Does not know whether there is such a mapping.
 */

/** Tells our ids from what providers call their own roles: a mapping's id alone could be the name of one. */
const PREFIX = 'mapping.'

/** `~20.` for a blank: neither `~` nor `.` is left of the mapping's own id, so that two mappings never share one. */
const escapeCharacter = (character: string): string => `~${(character.codePointAt(0) ?? 0).toString(16)}.`

/**
 * One segment of a URL: letters, digits, `-` and `_` stay, everything else is escaped. RFC 7643 section 3.1 keeps the word
 * "bulkId" out of ids.
 */
export const entitlementId = (mappingId: string): string =>
  PREFIX + mappingId.replaceAll(/bulkId|[^A-Za-z0-9_-]/gu, (match) =>
    match === 'bulkId' ? `${escapeCharacter('b')}ulkId` : escapeCharacter(match))
