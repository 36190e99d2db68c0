import { singular } from './field-category.ts';

/** Last words of paths that say what is done, not to what. */
const VERBS = new Set(
  'search,batch,create,update,upsert,read,list,query,count,archive,restore,delete,send,export,import,me,self,all,bulk,get,add,remove,merge,history,info,replies'.split(
    ',',
  ),
);
const OBJECT_CHARS_MAX = 100;
/** How a few tools call what everyone calls something else. */
const SAME: Readonly<Record<string, string>> = { conversation: 'message', chat: 'message', pull: 'pull_request' };

/**
 * The data set that an operation moves, from its path: `/repos/{owner}/{repo}/issues/{number}` → `issue`,
 * `/api/chat.postMessage` → `message`, `/crm/v3/objects/contacts/batch/create` → `contact`. Paths without a word give
 * the operation's own name.
 */
export function dataObject(operation: { readonly id: string; readonly template: string }): string {
  const literals = operation.template.split('/').filter((part) => part !== '' && !/[{}:*]/.test(part));
  const noun = literals.findLast((part, index) => {
    const word = part.toLowerCase().replace(/\.json$/, '');
    return !VERBS.has(word) && !(index === 0 && /^(?:api|rest|v?\d+(?:\.\d+)*)$/.test(word)) && !/^v\d+$/.test(word);
  });
  const text = noun ?? operation.id.replace(/^.*[/#]/, '');
  const word = singular(
    (text.includes('.') && !text.endsWith('.json') ? (text.split('.')[0] ?? text) : text).replace(/\.json$/, ''),
  );
  const name = word
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .toLowerCase();
  return (SAME[name] ?? name).slice(0, OBJECT_CHARS_MAX) || 'unknown';
}
