/**
 * The annotator rule, both ways, at organization and space level: an account whose role is ANNOTATOR takes the role
 * ANNOTATOR and no other, every other account takes any role but that.
 */
import { badRequest, type Problem, unprocessable } from './problem'
import type { Switches } from './switches'

type Level = 'organization' | 'space'

/** `role` is a predefined role's name; undefined is a custom role, which never fits an annotator. */
export const annotatorProblem = (
  accountRole: string,
  role: string | undefined,
  level: Level,
  switches: Switches,
): Problem | undefined => {
  const isAnnotator = accountRole === 'ANNOTATOR'
  if (isAnnotator === (role === 'ANNOTATOR')) return undefined
  const detail = isAnnotator
    ? `Users with an annotator account role can only be assigned the annotator ${level} role.`
    : `Users with a non-annotator account role cannot be assigned the annotator ${level} role.`
  return switches.annotatorStatus === 422 ? unprocessable(detail) : badRequest(detail)
}
