/**
 * The published JSON Schema of the policy document, made from the shape, for editors and other tools. It cannot say all
 * that parsePolicy refuses: rules that span several values are not in it.
 */
import * as z from 'zod'
import { mappingShape, policyShape } from './shape'

const SELECTORS = ['group', 'groupId', 'entitlement']

/** The content of `policy.schema.json`: of what is written, so that keys with defaults are optional. */
export const policyJsonSchema = () => ({
  ...z.toJSONSchema(policyShape, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === mappingShape) jsonSchema.oneOf = SELECTORS.map((key) => ({ required: [key] }))
    },
  }),
  title: 'Policy of the Arize provisioning bridge',
})
