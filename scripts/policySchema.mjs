// Writes policy.schema.json from the zod schema of the policy document. Run it after changing src/policy/shape.ts:
//   node scripts/policySchema.mjs
// A test fails for as long as the file is not what this writes.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundle = await build({
  entryPoints: [`${root}src/policy/jsonSchema.ts`],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
})
const [file] = bundle.outputFiles
const { policyJsonSchema } = await import(`data:text/javascript;base64,${Buffer.from(file.contents).toString('base64')}`)
writeFileSync(`${root}policy.schema.json`, `${JSON.stringify(policyJsonSchema(), null, 2)}\n`)
