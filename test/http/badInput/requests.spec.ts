import { beforeAll, describe, expect, it } from 'vitest'
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA } from '../../../src/scim/schema'
import { own, textAt, type Answer } from '../bridge'
import { filter, openWorld, patch, path, plain, refuses, syntax, value, wrong, type World } from './world'

/** Requests whose JSON is right and whose meaning is wrong, by endpoint. */

let world: World
const here = (): World => world

beforeAll(async () => {
  world = await openWorld('bad-requests')
  await world.send('POST', '/Users', { body: { userName: 'arya@example.com' } })
  await world.send('POST', '/Groups', { body: { displayName: 'Faceless' } })
})

const REQUIRED_USER = value('"userName" is required and must not be empty.')
const REQUIRED_GROUP = value('"displayName" is required and must not be empty.')
const takenUser = (name: string) => [409, 'uniqueness', `A User with the userName "${name}" exists already.`] as const
const takenGroup = (name: string) => [409, 'uniqueness', `A Group with the displayName "${name}" exists already.`] as const

refuses('a wrong User', here, ['POST /Users', 'PUT /Users/{user}'].flatMap((request) => [
  wrong(`${request} of nothing`, request, {}, REQUIRED_USER),
  wrong(`${request} without userName`, request, { schemas: [USER_SCHEMA], displayName: 'Arya', active: true }, REQUIRED_USER),
  wrong(`${request} with userName of spaces`, request, { userName: ' \t\u00a0\u3000\ufeff' }, REQUIRED_USER),
  wrong(`${request} with userName in the extension alone`, request, { [ENTERPRISE_SCHEMA]: { userName: 'a@example.com' } }, REQUIRED_USER),
  wrong(`${request} with userName of U+0000`, request, { userName: 'a\u0000@example.com' }, value('"userName" has a character U+0000.')),
  wrong(`${request} with U+0000 in a list`, request, { userName: 'a@example.com', emails: [{ value: 'a' }, { value: 'b', display: '\u0000' }] },
    value('"emails[1].display" has a character U+0000.')),
  wrong(`${request} with U+0000 in the extension`, request, { userName: 'a@example.com', [`${ENTERPRISE_SCHEMA}:department`]: 'a\u0000b' },
    value('"department" has a character U+0000.')),
  wrong(`${request} with a userName that is taken`, request, { userName: 'arya@example.com' }, takenUser('arya@example.com')),
  wrong(`${request} with a userName that is taken in other letters`, request, { userName: 'ARYA@Example.com' }, takenUser('ARYA@Example.com')),
  wrong(`${request} with a userName that is taken in wide letters`, request, { userName: '\uff41rya@example.com' }, takenUser('\uff41rya@example.com')),
  wrong(`${request} with a wrong attribute behind right ones`, request, { userName: 'new@example.com', name: { givenName: 'A' }, emails: [{ value: 'a@example.com' }], active: 'yes' },
    value('"active" must be true or false.')),
]))

refuses('a wrong Group', here, ['POST /Groups', 'PUT /Groups/{group}'].flatMap((request) => [
  wrong(`${request} of nothing`, request, {}, REQUIRED_GROUP),
  wrong(`${request} without displayName`, request, { schemas: [GROUP_SCHEMA], members: [] }, REQUIRED_GROUP),
  wrong(`${request} with displayName of spaces`, request, { displayName: ' \n ' }, REQUIRED_GROUP),
  wrong(`${request} with displayName of U+0000`, request, { displayName: '\u0000' }, value('"displayName" has a character U+0000.')),
  wrong(`${request} with a displayName that is taken in other letters`, request, { displayName: 'fACELESS' }, takenGroup('fACELESS')),
  wrong(`${request} with a member that is a number`, request, { displayName: 'X', members: [7] }, value('"members[0]" must be an object with a "value", or an id.')),
  wrong(`${request} with a member that is a list`, request, { displayName: 'X', members: [{ value: 'a' }, []] }, value('"members[1]" must be an object with a "value", or an id.')),
  wrong(`${request} with a member that is null`, request, { displayName: 'X', members: [null] }, value('"members[0]" must be an object with a "value", or an id.')),
  wrong(`${request} with a member without value`, request, { displayName: 'X', members: [{ display: 'Jon', type: 'User' }] }, value('"members[0].value" is required.')),
  wrong(`${request} with a member of spaces`, request, { displayName: 'X', members: [{ value: '  ' }] }, value('"members[0].value" is required.')),
  wrong(`${request} with a member that is an object`, request, { displayName: 'X', members: { display: 'Jon' } }, value('"members.value" is required.')),
  wrong(`${request} with a member's value of a wrong type`, request, { displayName: 'X', members: [{ value: { a: 1 } }] }, value('"members[0].value" is required.')),
  wrong(`${request} with U+0000 in a member`, request, { displayName: 'X', members: [{ value: '\u0000' }] }, value('"members[0].value" has a character U+0000.')),
  wrong(`${request} with members that are a boolean`, request, { displayName: 'X', members: true }, value('"members[0]" must be an object with a "value", or an id.')),
]))

const unknownPath = (name: string) => path(`The path "${name}" names no attribute of this resource.`)
const unreadable = (name: string, why: string) => path(`The path "${name}" cannot be read: ${why}.`)
const OPS = syntax('"Operations[0].op" must be "add", "remove" or "replace".')

refuses('a wrong PATCH, whatever the resource', here, ['PATCH /Users/{user}', 'PATCH /Groups/{group}'].flatMap((request) => [
  wrong(`${request} without operations`, request, {}, syntax('"Operations" must be a list of at least one operation.')),
  wrong(`${request} with no operation`, request, { Operations: [] }, syntax('"Operations" must be a list of at least one operation.')),
  wrong(`${request} with one operation and no list`, request, { Operations: { op: 'add', path: 'displayName', value: 'X' } }, syntax('"Operations" must be a list of at least one operation.')),
  wrong(`${request} with an operation that is a text`, request, { Operations: ['add'] }, syntax('"Operations[0]" must be an object.')),
  wrong(`${request} with an operation that is null`, request, { Operations: [{ op: 'add', path: 'displayName', value: 'X' }, null] }, syntax('"Operations[1]" must be an object.')),
  wrong(`${request} without op`, request, patch(undefined, 'displayName', 'X'), OPS),
  wrong(`${request} with op "move"`, request, patch('move', 'displayName', 'X'), OPS),
  wrong(`${request} with op "test"`, request, patch('test', 'displayName', 'Watch'), OPS),
  wrong(`${request} with op 7`, request, patch(7, 'displayName', 'X'), OPS),
  wrong(`${request} with op in a list`, request, patch(['add'], 'displayName', 'X'), OPS),
  wrong(`${request} with an op of 1,000 letters`, request, patch('a'.repeat(1000), 'displayName', 'X'), OPS),
  wrong(`${request} with a JSON pointer`, request, patch('replace', '/displayName', 'X'), unknownPath('/displayName')),
  wrong(`${request} with a path that is a number`, request, patch('add', 7, 'X'), path('"Operations[0].path" must be a string.')),
  wrong(`${request} with a path that is a list`, request, patch('add', ['displayName'], 'X'), path('"Operations[0].path" must be a string.')),
  wrong(`${request} with a path that is an object`, request, patch('remove', { a: 1 }), path('"Operations[0].path" must be a string.')),
  wrong(`${request} that removes without a path`, request, patch('remove'), [400, 'noTarget', '"Operations[0]" removes without a path.']),
  wrong(`${request} that removes at an empty path`, request, patch('remove', '  ', { displayName: 'X' }), [400, 'noTarget', '"Operations[0]" removes without a path.']),
  wrong(`${request} that adds nothing`, request, patch('add', 'displayName'), value('"Operations[0].value" is required for "add".')),
  wrong(`${request} that replaces with nothing`, request, patch('Replace', 'displayName'), value('"Operations[0].value" is required for "replace".')),
  wrong(`${request} with a text and no path`, request, patch('add', undefined, 'X'), value('"Operations[0].value" must be an object when there is no path.')),
  wrong(`${request} with an object written as a text`, request, patch('replace', undefined, '{"displayName":"X"}'), value('"Operations[0].value" must be an object when there is no path.')),
  wrong(`${request} with a list and no path`, request, patch('replace', undefined, [{ displayName: 'X' }]), value('"Operations[0].value" must be an object when there is no path.')),
  wrong(`${request} with null and no path`, request, patch('replace', undefined, null), value('"Operations[0].value" must be an object when there is no path.')),
  wrong(`${request} with a right operation before a wrong one`, request,
    { Operations: [{ op: 'replace', path: 'displayName', value: 'X' }, { op: 'replace', path: 'nope', value: 1 }] }, unknownPath('nope')),
  wrong(`${request} with a wrong value before a wrong path`, request,
    { Operations: [{ op: 'replace', path: 'displayName', value: { a: 1 } }, { op: 'replace', path: 'nope', value: 1 }] }, unknownPath('nope')),
  ...['nope', 'displayName.value', 'displayName.displayName', '__proto__', 'constructor', 'toString', '__proto__.polluted', 'constructor.prototype.polluted', 'members.__proto__',
    'urn:ietf:params:scim:schemas:core:2.0:Nobody:displayName', `${USER_SCHEMA}:__proto__`, `${GROUP_SCHEMA}:constructor.prototype`,
    '.', '..displayName', 'display', 'displayName.'].map((name) =>
    wrong(`${request} at ${name}`, request, patch('add', name, 'X'), unknownPath(name))),
  wrong(`${request} at two names`, request, patch('add', 'displayName externalId', 'X'), unreadable('displayName externalId', 'there is something after "displayName"')),
  wrong(`${request} at a bracket`, request, patch('add', '[', 'X'), unreadable('[', 'an attribute name is missing')),
  wrong(`${request} at a bracket that is open`, request, patch('add', 'displayName[value eq "a"', 'X'), unreadable('displayName[value eq "a"', '"]" is missing')),
  wrong(`${request} at a quote that is open`, request, patch('add', 'displayName[value eq "a]', 'X'),
    unreadable('displayName[value eq "a]', 'a string has no closing quote, at character 22')),
  wrong(`${request} at a value of no list`, request, patch('add', 'displayName[value eq "a"]', 'X'),
    path('The path "displayName[value eq "a"]" selects values of "displayName", which is not a list of objects.')),
  wrong(`${request} at a path of 8,193 characters`, request, patch('add', 'x'.repeat(8193), 'X'), unreadable('x'.repeat(200), 'it is longer than 8192 characters')),
  wrong(`${request} that removes displayName to nobody`, request, patch('remove', 'displayName.nope'), unknownPath('displayName.nope')),
]))

const cleared = (name: string) => `"${name}" is required and must not be removed or empty.`

refuses('a wrong PATCH of a User', here, [
  ...[null, '', [], [''], [null]].map((given) => wrong(`userName becomes ${JSON.stringify(given)}`, 'PATCH /Users/{user}', patch('replace', 'userName', given), value(cleared('userName')))),
  wrong('userName becomes spaces', 'PATCH /Users/{user}', patch('replace', 'userName', ' \t'), value('"userName" is required and must not be empty.')),
  wrong('userName is removed', 'PATCH /Users/{user}', patch('remove', 'userName'), [400, 'mutability', cleared('userName')]),
  wrong('userName is removed by its URN', 'PATCH /Users/{user}', patch('remove', `${USER_SCHEMA}:USERNAME`), [400, 'mutability', cleared('userName')]),
  wrong('userName becomes another\'s', 'PATCH /Users/{user}', patch('replace', undefined, { userName: 'ARYA@example.com' }), takenUser('ARYA@example.com')),
  wrong('active is removed', 'PATCH /Users/{user}', patch('remove', 'active'), value(cleared('active'))),
  wrong('active becomes ""', 'PATCH /Users/{user}', patch('replace', undefined, { active: '' }), value(cleared('active'))),
  wrong('a boolean in a value path', 'PATCH /Users/{user}', patch('replace', 'emails[type eq "work"].primary', 'maybe'), value('"emails.primary" must be true or false.')),
  wrong('an unknown sub-attribute', 'PATCH /Users/{user}', patch('replace', 'emails[type eq "work"].nope', 'x'), unknownPath('emails[type eq "work"].nope')),
  wrong('__proto__ behind a value path', 'PATCH /Users/{user}', patch('replace', 'emails[type eq "work"].__proto__', 'x'), unknownPath('emails[type eq "work"].__proto__')),
  wrong('a part of a part', 'PATCH /Users/{user}', patch('replace', 'emails[type eq "work"].value.value', 'x'), unknownPath('emails[type eq "work"].value.value')),
  wrong('a filter behind a sub-attribute', 'PATCH /Users/{user}', patch('replace', 'emails.value[type eq "work"]', 'x'),
    path('The path "emails.value[type eq "work"]" selects values of "emails", which is not a list of objects.')),
  wrong('a filter on a single object', 'PATCH /Users/{user}', patch('replace', 'name[familyName eq "Snow"].givenName', 'x'),
    path('The path "name[familyName eq "Snow"].givenName" selects values of "name", which is not a list of objects.')),
  wrong('two filters', 'PATCH /Users/{user}', patch('replace', 'emails[type eq "work"][primary eq true].value', 'x'),
    unreadable('emails[type eq "work"][primary eq true].value', 'there is something after its end')),
  wrong('a filter without a value', 'PATCH /Users/{user}', patch('remove', 'emails[type eq]'),
    filter('In the path "emails[type eq]": The filter cannot be read: the value after "eq" is missing, at character 15.')),
  wrong('a filter without anything', 'PATCH /Users/{user}', patch('remove', 'emails[]'),
    filter('In the path "emails[]": The filter cannot be read: an attribute name is missing, at character 8.')),
  wrong('an order among booleans', 'PATCH /Users/{user}', patch('remove', 'emails[primary gt true]'),
    filter('The filter compares "primary" by "gt", which a boolean attribute does not have.')),
  wrong('a filter that selects nothing and describes nothing', 'PATCH /Users/{user}', patch('replace', 'emails[type ne "work" and type ne "home"].value', 'x@example.com'),
    [400, 'noTarget', 'The path "emails[type ne "work" and type ne "home"].value" selects no value of "emails".']),
  wrong('a filter that contradicts itself', 'PATCH /Users/{user}', patch('add', 'emails[type eq "a" and type eq "b"].value', 'x@example.com'),
    [400, 'noTarget', 'The path "emails[type eq "a" and type eq "b"].value" selects no value of "emails".']),
  wrong('501 e-mails, one by one', 'PATCH /Users/{user}', { Operations: Array.from({ length: 501 }, (_, index) => ({ op: 'add', path: 'emails', value: [{ value: `a${index}@example.com` }] })) },
    value('"emails" has more than 500 values.')),
  wrong('10,001 comparisons', 'PATCH /Users/{user}', { Operations: Array.from({ length: 120 }, () => ({ op: 'remove', path: `emails[${Array(84).fill('type eq "x"').join(' or ')}]` })) },
    plain(413, 'The filters in the paths of "Operations" make more than 10000 comparisons.')),
])

const nobody = (ids: string) => value(`"members" names ${ids}, which no User of this connection has as its id. Groups cannot be members.`)
const SELECT = filter('Members are selected by "value eq", joined with "and" or "or", and by nothing else.')
const IMMUTABLE = [400, 'mutability', '"members.value" cannot be changed, only added and removed.'] as const

refuses('a wrong PATCH of a Group', here, [
  wrong('displayName is removed', 'PATCH /Groups/{group}', patch('remove', 'displayName'), [400, 'mutability', cleared('displayName')]),
  wrong('displayName becomes null', 'PATCH /Groups/{group}', patch('replace', undefined, { displayName: null }), value(cleared('displayName'))),
  wrong('displayName becomes a number', 'PATCH /Groups/{group}', patch('replace', 'displayName', 7), value('"displayName" must be a string.')),
  wrong('displayName becomes another\'s', 'PATCH /Groups/{group}', patch('replace', 'displayName', 'FACELESS'), takenGroup('FACELESS')),
  wrong('an unknown member', 'PATCH /Groups/{group}', patch('add', 'members', [{ value: 'nobody' }]), nobody('"nobody"')),
  wrong('eleven unknown members', 'PATCH /Groups/{group}', patch('add', 'members', Array.from({ length: 12 }, (_, index) => ({ value: `n${index}` }))),
    nobody(`${Array.from({ length: 10 }, (_, index) => `"n${index}"`).join(', ')} and 2 others`)),
  wrong('an unknown member with a long id', 'PATCH /Groups/{group}', patch('add', 'members', 'x'.repeat(5000)), nobody(`"${'x'.repeat(100)}…"`)),
  wrong('an unknown member with marks of direction', 'PATCH /Groups/{group}', patch('add', 'members', 'a\u202eb\u0007c'), nobody('"a\ufffdb\ufffdc"')),
  wrong('a member __proto__', 'PATCH /Groups/{group}', patch('add', 'members', '__proto__'), nobody('"__proto__"')),
  wrong('a member that is a number', 'PATCH /Groups/{group}', patch('add', 'members', [7]), value('"members[0]" must be an object with a "value", or an id.')),
  wrong('a member without value', 'PATCH /Groups/{group}', patch('replace', 'members', [{}]), value('"members[0].value" is required.')),
  wrong('members in a value without a path', 'PATCH /Groups/{group}', patch('add', undefined, { displayName: 'Watch', members: [{ display: 'x' }] }), value('"members[0].value" is required.')),
  wrong('an id is changed', 'PATCH /Groups/{group}', patch('replace', 'members[value eq "x"].value', 'y'), IMMUTABLE),
  wrong('all ids are removed', 'PATCH /Groups/{group}', patch('remove', 'members.value'), IMMUTABLE),
  wrong('members by name', 'PATCH /Groups/{group}', patch('remove', 'members[display eq "Jon"]'), SELECT),
  wrong('members by what they are not', 'PATCH /Groups/{group}', patch('remove', 'members[value ne "x"]'), SELECT),
  wrong('members by not', 'PATCH /Groups/{group}', patch('remove', 'members[not (value eq "x")]'), SELECT),
  wrong('an attribute of users', 'PATCH /Groups/{group}', patch('add', 'userName', 'x'), unknownPath('userName')),
  wrong('the extension of users', 'PATCH /Groups/{group}', patch('add', `${ENTERPRISE_SCHEMA}:department`, 'x'), unknownPath(`${ENTERPRISE_SCHEMA}:department`)),
])

describe('two primaries', () => {
  const emails = ['a', 'b', 'c'].map((name) => ({ value: `${name}@example.com`, primary: true }))
  const primaries = (answer: Answer): readonly unknown[] => [0, 1, 2].map((index) => own(answer.body, 'emails', index, 'primary'))

  it('become one: the first of a body, the last that became so', async () => {
    const made = await world.send('POST', '/Users', { body: { userName: 'primary@example.com', emails } })
    expect([made.status, primaries(made)]).toEqual([201, [true, false, false]])
    const at = `/Users/${textAt(made, 'id')}`
    const moved = await world.send('PATCH', at, { body: patch('replace', 'emails[value eq "c@example.com"].primary', 'True') })
    expect([moved.status, primaries(moved)]).toEqual([200, [false, false, true]])
    const put = await world.send('PUT', at, { body: { userName: 'primary@example.com', emails: emails.toReversed() } })
    expect([put.status, own(put.body, 'emails', 0, 'value'), primaries(put)]).toEqual([200, 'c@example.com', [true, false, false]])
    const all = await world.send('PATCH', at, { body: patch('replace', 'emails.primary', true) })
    expect(primaries(all).filter((primary) => primary === true)).toHaveLength(1)
  })
})

describe('what only this server says', () => {
  it.each(['2026-13-45T99:00:00Z', 'never', '', 7, null, {}, '0001-01-01T00:00:00Z'])('is not changed by a date %j', async (date) => {
    const before = await world.send('GET', '/Users/{user}')
    const meta = { created: date, lastModified: date, version: 'W/"99"', location: 'https://evil.invalid', resourceType: 'Group' }
    for (const answer of [
      await world.send('PATCH', '/Users/{user}', { body: patch('replace', undefined, { meta, id: 'mine', schemas: ['urn:x'] }) }),
      await world.send('PATCH', '/Users/{user}', { body: patch('replace', 'meta.created', date) }),
      await world.send('PATCH', '/Users/{user}', { body: patch('remove', 'meta') }),
      await world.send('PUT', '/Users/{user}', { body: { ...(typeof before.body === 'object' ? before.body : {}), meta, id: 'mine' } }),
    ]) expect([answer.status, answer.body]).toEqual([200, before.body])
  })
})
