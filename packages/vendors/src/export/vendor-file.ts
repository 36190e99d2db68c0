import type { Queryable } from '@cordon/kernel';
import { listAttestations } from '../attestation/attestation-store.ts';
import { listContracts } from '../contract/contract-commands.ts';
import { listHosts } from '../monitoring/host-store.ts';
import { listNews } from '../monitoring/news.ts';
import { listNotices } from '../monitoring/notices.ts';
import { listFindings } from '../pentest/finding-store.ts';
import { listAnswers, listComments, listQuestionnaires } from '../questionnaire/questionnaire-store.ts';
import { listFiles } from '../register/file-store.ts';
import { listSubprocessors, listTasks, loadVendor } from '../register/vendor-store.ts';
import { listContradictions } from '../score/contradiction-store.ts';
import { listScores } from '../score/score-store.ts';

const HISTORY_MAX = 50;

/** Everything that is kept about a vendor. Files are named with their hashes; their bytes stay where they are. */
export async function readVendorFile(db: Queryable, vendorId: string) {
  const vendor = await loadVendor(db, vendorId);
  const questionnaires = [];
  for (const one of await listQuestionnaires(db, vendorId)) {
    const [answers, comments] = [await listAnswers(db, one.id), await listComments(db, one.id)];
    questionnaires.push({ ...one, answers, comments });
  }
  return {
    vendor,
    subprocessors: await listSubprocessors(db, vendorId),
    tasks: await listTasks(db, vendorId),
    files: await listFiles(db, vendorId),
    questionnaires,
    contracts: await listContracts(db, vendorId),
    attestations: await listAttestations(db, vendorId),
    findings: await listFindings(db, { vendorId }),
    scores: await listScores(db, vendorId, HISTORY_MAX),
    contradictions: await listContradictions(db, vendorId),
    hosts: await listHosts(db, vendorId),
    notices: await listNotices(db, vendorId),
    news: await listNews(db, vendorId),
  };
}
export type VendorFileContent = Awaited<ReturnType<typeof readVendorFile>>;
