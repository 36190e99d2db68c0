import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('a process that only builds events carries neither engine nor client', () => {
  const entry = new URL('./index.ts', import.meta.url).href;
  const script = `
    import { createRequire } from 'node:module';
    const lake = await import(${JSON.stringify(entry)});
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify({ builds: typeof lake.apiActivity, loaded }));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { builds, loaded } = JSON.parse(output);
  expect(builds).toBe('function');
  expect(loaded.filter((path: string) => /node_modules\/(?:chdb|@chdb|@clickhouse)\//.test(path))).toEqual([]);
});
