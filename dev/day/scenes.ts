import * as cast from './cast'
import * as entra from './entra'
import type { Exchange, Worker } from './exchange'
import * as okta from './okta'

/** The day: what the providers send, and how each scene has to end at Arize. */

export interface Ending {
  /** The role of the Arize account; null: there is none. */
  readonly account: string | null
  /** `ML Platform MEMBER`, `ML Platform/Ranking ADMIN`: every role and no other. */
  readonly roles: readonly string[]
  readonly state: 'in_step' | 'held'
  /** Codes of the conflicts that a human is told of; none when absent. */
  readonly conflicts?: readonly string[]
  /** API keys that still work; not looked at when absent. */
  readonly liveKeys?: number
}

export interface Scene {
  readonly title: string
  readonly story: string
  /** People who are given an API key at Arize before the traffic begins. */
  readonly keysFor?: readonly Worker[]
  readonly traffic: readonly Exchange[]
  /** Everybody whom the scene is about. */
  readonly people: readonly { readonly who: Worker; readonly ending: Ending }[]
  /** How many calls change something at Arize: the fewest that will do. */
  readonly writes: number
}

const { ada, ben, chloe, lea, max, noor } = cast

const ENGINEER = ['ML Platform MEMBER', 'ML Platform/Ranking ADMIN']

export const scenes: readonly Scene[] = [
  {
    title: 'The team that is there',
    story:
      'Okta pushes Ben and Entra Chloe with their groups. The users come seconds before their groups: an account is made ' +
      'once it is known what kind it has to be.',
    traffic: [
      ...okta.createUser(ben),
      ...okta.pushGroup(cast.fraudMembers, [ben]),
      ...entra.createUser(chloe),
      ...entra.createGroup(cast.engineers),
      entra.addMember(cast.engineers, chloe),
    ],
    people: [
      { who: ben, ending: { account: 'MEMBER', roles: ['Fraud MEMBER'], state: 'in_step' } },
      { who: chloe, ending: { account: 'MEMBER', roles: ENGINEER, state: 'in_step' } },
    ],
    writes: 5,
  },
  {
    title: 'A joiner in three groups',
    story: 'Ada starts today. Three groups become one plan: one account, and one call for each role.',
    traffic: [
      ...okta.createUser(ada),
      okta.linkGroup(cast.engineers),
      ...okta.addMember(cast.engineers, ada),
      ...okta.pushGroup(cast.searchTeam, [ada]),
      ...okta.pushGroup(cast.fraudViewers, [ada]),
    ],
    people: [
      {
        who: ada,
        ending: {
          account: 'MEMBER',
          roles: [...ENGINEER, 'ML Platform/Search MEMBER', 'Fraud READ_ONLY'],
          state: 'in_step',
        },
      },
    ],
    writes: 5,
  },
  {
    title: 'A mover inside one organization',
    story:
      'Ben goes from one group on Fraud to another. His role is replaced by one call: removing him first would have taken ' +
      'every space of the organization along.',
    traffic: [...okta.addMember(cast.fraudViewers, ben), ...okta.removeMember(cast.fraudMembers, ben)],
    people: [{ who: ben, ending: { account: 'MEMBER', roles: ['Fraud READ_ONLY'], state: 'in_step' } }],
    writes: 1,
  },
  {
    title: 'A labeler',
    story: 'Lea only labels. Every grant of hers is ANNOTATOR, so she gets an annotator account: Arize could not change it later.',
    traffic: [...entra.createUser(lea), ...entra.createGroup(cast.labelers), entra.addMember(cast.labelers, lea)],
    people: [
      { who: lea, ending: { account: 'ANNOTATOR', roles: ['Labeling ANNOTATOR', 'Labeling/Gold Set ANNOTATOR'], state: 'in_step' } },
    ],
    writes: 3,
  },
  {
    title: 'In both kinds of group',
    story: 'Max labels and builds. An account can be of one kind only, for ever: nothing is created until somebody decides.',
    traffic: [
      ...entra.createUser(max),
      entra.addMember(cast.engineers, max),
      entra.addMember(cast.labelers, max),
    ],
    people: [{ who: max, ending: { account: null, roles: [], state: 'held', conflicts: ['annotator_mixed'] } }],
    writes: 0,
  },
  {
    title: 'An annotator account among the engineers',
    story: 'Noor has had an annotator account since before the bridge. Arize would refuse the roles, so they are not tried.',
    traffic: [...entra.createUser(noor), entra.addMember(cast.engineers, noor)],
    people: [
      {
        who: noor,
        ending: {
          account: 'ANNOTATOR',
          roles: ['Labeling ANNOTATOR'],
          state: 'held',
          conflicts: ['annotator_rule', 'annotator_rule'],
        },
      },
    ],
    writes: 0,
  },
  {
    title: 'A leaver',
    story:
      'Chloe is disabled in Entra, which says so with the text "False". Her roles go (one call: an organization takes its ' +
      'spaces along), the API key that she made goes, her account stays.',
    keysFor: [chloe],
    traffic: [entra.setActive(chloe, false)],
    people: [{ who: chloe, ending: { account: 'MEMBER', roles: [], state: 'in_step', liveKeys: 0 } }],
    writes: 2,
  },
  {
    title: 'A rehire',
    story: 'Chloe is back, in the group that she never left in Entra. Same account, same roles; a revoked key stays revoked.',
    traffic: [entra.setActive(chloe, true)],
    people: [{ who: chloe, ending: { account: 'MEMBER', roles: ENGINEER, state: 'in_step', liveKeys: 0 } }],
    writes: 2,
  },
  {
    title: 'Everything once more',
    story: 'Both providers repeat what they have said. Nothing has changed, so nothing is called.',
    traffic: [
      okta.pushMembers(cast.fraudViewers, [ada, ben]),
      okta.pushMembers(cast.searchTeam, [ada]),
      entra.setActive(chloe, true),
      entra.addMember(cast.labelers, lea),
    ],
    people: [
      { who: ada, ending: { account: 'MEMBER', roles: [...ENGINEER, 'ML Platform/Search MEMBER', 'Fraud READ_ONLY'], state: 'in_step' } },
      { who: ben, ending: { account: 'MEMBER', roles: ['Fraud READ_ONLY'], state: 'in_step' } },
      { who: chloe, ending: { account: 'MEMBER', roles: ENGINEER, state: 'in_step' } },
      { who: lea, ending: { account: 'ANNOTATOR', roles: ['Labeling ANNOTATOR', 'Labeling/Gold Set ANNOTATOR'], state: 'in_step' } },
    ],
    writes: 0,
  },
]
