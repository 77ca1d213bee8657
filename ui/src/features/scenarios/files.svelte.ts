import { backend, toBackendError, type Picked } from '../../lib/backend';
import type { CreateScenarioRequest } from '../../lib/bindings';
import { attempt, notices } from '../../shared/state/notices.svelte';
import { scenarios } from './scenarios.svelte';
import { setAt } from '../../shared/text/yaml';

const NOTHING: CreateScenarioRequest = { template: null, copyOf: null, text: null, path: null, name: '' };
const ENDINGS = /\.(ya?ml|json)$/i;

/** Makes a scenario and opens it; true when that went well. */
export function create(request: Partial<CreateScenarioRequest>): Promise<boolean> {
  return attempt('The scenario could not be made', async () => {
    await scenarios.flush();
    scenarios.adopt(await backend().call('scenario_create', { ...NOTHING, ...request }));
  });
}

/** Whether dropped or chosen files are scenarios by their names. */
export function areScenarios(files: Picked): boolean {
  return files.length > 0 && files.every((file) => /\.ya?ml$/i.test(typeof file === 'string' ? file : file.name));
}

/** Copies files into the folder of scenarios; the last one is opened. */
export async function bringIn(files: Picked): Promise<void> {
  for (const file of files) {
    const name = typeof file === 'string' ? file : file.name;
    if (!ENDINGS.test(name)) notices.error(`${name} is no scenario: its name would end in .yaml`);
    else await create(typeof file === 'string' ? { path: file } : { text: await file.text(), name: file.name });
  }
}

/** Opens the file dialog. */
export async function choose(): Promise<void> {
  await attempt('Choosing files failed', async () => bringIn(await backend().pickFiles()));
}

/** Gives a scenario another title, and its file the name that follows from it. */
export async function rename(title: string): Promise<boolean> {
  const text = setAt(scenarios.text, ['title'], title);
  scenarios.edit(text, 'title');
  await scenarios.flush();
  const { id } = scenarios;
  return attempt('The scenario could not be renamed', async () => {
    if (id !== null) scenarios.adopt(await backend().call('scenario_rename', { id, name: title }));
  });
}

/** Deletes a scenario; a notice offers it back. */
export async function remove(id: string, title: string): Promise<void> {
  await scenarios.flush();
  await attempt('The scenario could not be deleted', async () => {
    const { token } = await backend().call('scenario_delete', { id });
    if (scenarios.id === id) scenarios.close();
    await scenarios.refresh();
    const next = scenarios.list?.items[0];
    if (next && scenarios.id === null) await scenarios.open(next.id);
    notices.say(`"${title}" was deleted`, { label: 'Undo', run: () => void restore(token) });
  });
}

async function restore(token: string): Promise<void> {
  try {
    scenarios.adopt(await backend().call('scenario_restore', { token }));
  } catch (thrown) {
    notices.error('The scenario could not be had back', toBackendError(thrown));
  }
}
