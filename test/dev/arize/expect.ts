import { expect } from 'vitest'
import type { Answer } from './account'

export const expectProblem = (answer: Answer, status: number): void => {
  expect({ status: answer.status, body: answer.body }).toMatchObject({
    status,
    body: { status, title: expect.any(String), detail: expect.any(String) },
  })
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
}

export const expectNothing = (answer: Answer): void => {
  expect({ status: answer.status, text: answer.text, type: answer.headers.get('content-type') }).toEqual({
    status: 204,
    text: '',
    type: null,
  })
}
