// Checks files with their formats' own libraries: `validate.mjs NODE_FOLDER FILE…`. AsyncAPI's parser, and Backstage's policies and
// kinds for a catalog. Says what is wrong and exits with 1.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const [folder, ...files] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const { Parser } = require('@asyncapi/parser');
const backstage = require('@backstage/catalog-model');
const yaml = require('js-yaml');

const parser = new Parser();
const KINDS = ['api', 'component', 'domain', 'group', 'resource', 'system', 'user'];
const kinds = KINDS.map((kind) => backstage[`${kind}EntityV1alpha1Validator`]);
const policies = backstage.EntityPolicies.allOf([
  new backstage.SchemaValidEntityPolicy(), new backstage.DefaultNamespaceEntityPolicy(), new backstage.FieldFormatEntityPolicy(), new backstage.NoForeignRootFieldsEntityPolicy(),
]);

/** What AsyncAPI's parser calls an error (0); what it only recommends is no mistake. */
async function asyncapi(file, text) {
  const { diagnostics } = await parser.parse(text, { source: file });
  return diagnostics.filter((one) => one.severity === 0).map((one) => `${one.path.join('.')}: ${one.message}`);
}

/** `{ $text: ./file }` is replaced before Backstage looks at an entity; so it is here. */
function placed(value, file) {
  if (Array.isArray(value)) return value.map((one) => placed(one, file));
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.$text === 'string') return readFileSync(join(dirname(file), value.$text), 'utf8');
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, placed(inner, file)]));
}

async function catalog(file, text) {
  const wrong = [];
  for (const read of yaml.loadAll(text)) {
    const entity = placed(read, file);
    const name = `${entity?.kind} ${entity?.metadata?.name}`;
    try {
      await policies.enforce(entity);
      const known = await Promise.all(kinds.map((kind) => kind.check(entity)));
      if (!known.includes(true)) wrong.push(`${name}: no kind of Backstage's`);
    } catch (error) {
      wrong.push(`${name}: ${error.message}`);
    }
  }
  return wrong;
}

let failed = files.length === 0;
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  const wrong = /^asyncapi:/m.test(text) ? await asyncapi(file, text) : await catalog(file, text);
  for (const message of wrong) console.error(`${file}: ${message}`);
  failed ||= wrong.length > 0;
}
process.exit(failed ? 1 : 0);
