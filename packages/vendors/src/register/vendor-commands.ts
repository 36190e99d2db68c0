import { type Actor, appendAudit, authorize, describeActor, type Transaction, uuidv7 } from '@cordon/kernel';
import { z } from 'zod';
import { type CutOffProof, parseInput, type VendorsContext } from '../context.ts';
import { NameTaken, NotFound, StateConflict } from '../errors.ts';
import { isDuplicate } from '../tables.ts';
import { insertFile, readUpload } from './file-store.ts';
import { parseSecurityTxt } from './security-txt.ts';
import { readSubprocessors } from './subprocessor-list.ts';
import {
  NEXT_STAGES,
  OFFBOARDING_TASKS,
  STAGES,
  type Vendor,
  type VendorInput,
  vendorInput,
  type VendorPatch,
  vendorPatch,
  vendorProfile,
} from './vendor.ts';
import {
  finishTask,
  insertTasks,
  insertVendor,
  listTasks,
  listVendors,
  loadVendor,
  lockVendor,
  replaceSubprocessors,
  setVendorApps,
  updateVendor,
} from './vendor-store.ts';

const REASON_CHARS_MAX = 500;
const IMPORT_MAX = 2_000;
const reasonText = z.string().trim().min(3).max(REASON_CHARS_MAX);

export interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function refuseDuplicate<Result>(name: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (isDuplicate(error)) throw new NameTaken(`A vendor named ${name} exists already.`, { name }, error);
    throw error;
  }
}

/** `api.eu.github.com` and `github` are of one vendor: the part of a host that a company registers. */
function vendorNameOf(app: { readonly title: string; readonly host: string }): string {
  return app.title.trim() || (app.host.split('.').at(-2) ?? app.host);
}

/** Everything about the register that changes state. */
export function createVendorCommands(context: VendorsContext) {
  const { db, clock, envelope, estate } = context;

  const change = (
    actor: Actor,
    id: string,
    action: string,
    write: (tx: Transaction, vendor: Vendor, at: number) => Promise<Record<string, unknown>>,
  ): Promise<Vendor> => {
    authorize(actor, 'vendor.write');
    const at = clock.now();
    return db.transaction(async (tx) => {
      const vendor = await lockVendor(tx, id);
      const detail = await write(tx, vendor, at);
      await appendAudit(tx, { actor, action, target: { type: 'vendor', id, name: vendor.name }, detail, at });
      return loadVendor(tx, id);
    });
  };

  const create = async (actor: Actor, raw: VendorInput): Promise<Vendor> => {
    authorize(actor, 'vendor.write');
    const { name, appIds, ...rest } = parseInput(vendorInput, raw);
    const at = clock.now();
    const id = uuidv7(at);
    const work = db.transaction(async (tx) => {
      await insertVendor(tx, { id, name, profile: vendorProfile.parse(rest), at: new Date(at) });
      await setVendorApps(tx, id, appIds);
      const detail = { tier: rest.tier, apps: appIds.length };
      await appendAudit(tx, { actor, action: 'vendor.created', target: { type: 'vendor', id, name }, detail, at });
      return loadVendor(tx, id);
    });
    return refuseDuplicate(name, work);
  };

  return {
    create,

    update(actor: Actor, id: string, raw: VendorPatch): Promise<Vendor> {
      const { name, appIds, ...patch } = parseInput(vendorPatch, raw);
      const work = change(actor, id, 'vendor.updated', async (tx, vendor, at) => {
        const profile = vendorProfile.parse({ ...vendor.profile, ...patch });
        await updateVendor(tx, id, { ...(name === undefined ? {} : { name }), profile, at: new Date(at) });
        if (appIds !== undefined) await setVendorApps(tx, id, appIds);
        return { changed: Object.keys(raw) };
      });
      return refuseDuplicate(name ?? '', work);
    },

    /** Makes a vendor of each app that none has yet; apps whose titles name one vendor go together. */
    async adoptApps(actor: Actor): Promise<{ created: number; linked: number }> {
      authorize(actor, 'vendor.write');
      const vendors = await listVendors(db);
      const known = new Set(vendors.flatMap(({ appIds }) => appIds));
      const apps = (await estate.listApps()).filter(({ id }) => !known.has(id));
      let [created, linked] = [0, 0];
      for (const [name, group] of Map.groupBy(apps, vendorNameOf)) {
        const ids = group.map(({ id }) => id);
        const existing = vendors.find((vendor) => vendor.name.toLowerCase() === name.toLowerCase());
        if (existing) {
          await change(actor, existing.id, 'vendor.apps_linked', async (tx, vendor) => {
            await setVendorApps(tx, vendor.id, [...vendor.appIds, ...ids]);
            return { apps: ids.length };
          });
          linked += ids.length;
        } else {
          await create(actor, { name, appIds: ids });
          created += 1;
        }
      }
      return { created, linked };
    },

    /** Adds vendors from a list; those whose name exists already are left as they are. */
    async importList(
      actor: Actor,
      rows: readonly VendorInput[],
    ): Promise<{ created: number; existing: readonly string[] }> {
      authorize(actor, 'vendor.write');
      const parsed = parseInput(z.array(vendorInput).max(IMPORT_MAX), rows);
      const names = new Set((await listVendors(db)).map(({ name }) => name.toLowerCase()));
      const existing: string[] = [];
      let created = 0;
      for (const row of parsed) {
        if (names.has(row.name.toLowerCase())) existing.push(row.name);
        else {
          await create(actor, row);
          names.add(row.name.toLowerCase());
          created += 1;
        }
      }
      return { created, existing };
    },

    moveTo(actor: Actor, id: string, stage: string, reason: string): Promise<Vendor> {
      const why = parseInput(reasonText, reason);
      const to = parseInput(z.enum(STAGES), stage);
      return change(actor, id, 'vendor.stage_changed', async (tx, vendor, at) => {
        if (!NEXT_STAGES[vendor.stage].includes(to)) {
          const next = NEXT_STAGES[vendor.stage].join(', ') || 'none';
          throw new StateConflict(`From ${vendor.stage} a vendor moves to: ${next}.`, { stage: vendor.stage });
        }
        await updateVendor(tx, id, { stage: to, at: new Date(at) });
        return { from: vendor.stage, to, reason: why };
      });
    },

    /** Keeps what a vendor publishes about its own processors, in place of what was known. */
    async setSubprocessors(actor: Actor, id: string, upload: Upload): Promise<Vendor> {
      authorize(actor, 'vendor.write');
      const file = await readUpload(context.files, upload.name, upload.bytes);
      if (!file.document) throw new StateConflict('A picture holds no list.');
      const list = readSubprocessors(file.document);
      return change(actor, id, 'vendor.subprocessors_replaced', async (tx, vendor, at) => {
        const by = describeActor(actor).name;
        const kept = await insertFile(tx, envelope, file, { vendorId: vendor.id, purpose: 'subprocessors', by, at });
        await replaceSubprocessors(tx, id, { list, source: kept.name, at: new Date(at) });
        return { file: kept.sha256, subprocessors: list.length };
      });
    },

    setSecurityTxt(actor: Actor, id: string, text: string): Promise<Vendor> {
      const read = parseSecurityTxt(parseInput(z.string().max(100_000), text));
      return change(actor, id, 'vendor.security_txt_read', async (tx, vendor, at) => {
        const securityTxt = { ...read, contacts: [...read.contacts], readAt: at };
        const profile = vendorProfile.parse({ ...vendor.profile, securityTxt });
        await updateVendor(tx, id, { profile, at: new Date(at) });
        return { contacts: read.contacts };
      });
    },

    /** Begins the end: tasks for people, and at once the cut-off of every integration by the estate's commands. */
    async offboard(
      actor: Actor,
      id: string,
      reason: string,
    ): Promise<{ vendor: Vendor; proofs: readonly CutOffProof[] }> {
      const why = parseInput(reasonText, reason);
      const vendor = await change(actor, id, 'vendor.offboarding_began', async (tx, before, at) => {
        if (before.stage === 'ended') throw new StateConflict('The vendor is gone already.');
        if (before.stage !== 'offboarding') {
          const tasks = OFFBOARDING_TASKS.map(([kind, title]) => ({ id: uuidv7(at), kind, title }));
          await insertTasks(tx, id, tasks, new Date(at));
          await updateVendor(tx, id, { stage: 'offboarding', at: new Date(at) });
        }
        return { reason: why };
      });
      const proofs = await estate.cutOff(actor, vendor.appIds, `vendor ${vendor.name} offboarded: ${why}`);
      const left = await estate.stillReach(vendor.appIds);
      if (left.length > 0)
        throw new StateConflict(`Integrations still reach the vendor: ${left.join(', ')}.`, { left: [...left] });
      const tasks = await listTasks(db, id);
      const task = tasks.find(({ kind }) => kind === 'cut_off');
      const done = await change(actor, id, 'vendor.cut_off', async (tx, _vendor, at) => {
        const proof = { cutOffs: proofs, stillReach: left };
        if (task && task.doneAt === null) {
          await finishTask(tx, {
            vendorId: id,
            taskId: task.id,
            proof,
            by: describeActor(actor).name,
            at: new Date(at),
          });
        }
        return { integrations: proofs.length };
      });
      return { vendor: done, proofs };
    },

    /** A person says that a task is done, and what shows it. When the last is done the vendor is gone. */
    finishTask(actor: Actor, id: string, taskId: string, note: string): Promise<Vendor> {
      const proof = { note: parseInput(reasonText, note) };
      return change(actor, id, 'vendor.task_done', async (tx, _vendor, at) => {
        const tasks = await listTasks(tx, id);
        const task = tasks.find((one) => one.id === taskId);
        if (!task) throw new NotFound('There is no such task.', { task: taskId });
        if (task.kind === 'cut_off') throw new StateConflict('The cut-off is proved by the estate, not by a note.');
        const by = describeActor(actor).name;
        await finishTask(tx, { vendorId: id, taskId, proof, by, at: new Date(at) });
        const isLast = tasks.every((one) => one.doneAt !== null || one.id === taskId);
        if (isLast) await updateVendor(tx, id, { stage: 'ended', at: new Date(at) });
        return { task: task.kind, note: proof.note, ended: isLast };
      });
    },

    async addFile(actor: Actor, id: string, upload: Upload) {
      authorize(actor, 'vendor.write');
      const file = await readUpload(context.files, upload.name, upload.bytes);
      const at = clock.now();
      return db.transaction(async (tx) => {
        const vendor = await lockVendor(tx, id);
        const place = { vendorId: id, purpose: 'evidence' as const, by: describeActor(actor).name, at };
        const kept = await insertFile(tx, envelope, file, place);
        const target = { type: 'vendor', id, name: vendor.name };
        const detail = { file: kept.id, name: kept.name, sha256: kept.sha256, bytes: kept.bytes };
        await appendAudit(tx, { actor, action: 'vendor.file_added', target, detail, at });
        return kept;
      });
    },
  };
}
