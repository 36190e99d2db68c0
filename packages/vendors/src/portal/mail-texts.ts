import type { Language } from '../questionnaire/form.ts';

interface Texts {
  readonly invite: (title: string, from: string, url: string, until: string) => { subject: string; text: string };
  readonly code: (code: string) => { subject: string; text: string };
  readonly remind: (title: string, url: string, due: string) => { subject: string; text: string };
  readonly findings: (vendor: string, from: string, url: string, until: string) => { subject: string; text: string };
  readonly overdue: (vendor: string, count: number, url: string) => { subject: string; text: string };
}

/** What the portal writes to people outside, in their language. */
export const MAIL_TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    invite: (title, from, url, until) => ({
      subject: `Questionnaire: ${title}`,
      text: `${from} asks you to answer the questionnaire "${title}".\n\nOpen it here, no account is needed:\n${url}\n\nThe link works until ${until} and for this address only.\n`,
    }),
    code: (code) => ({
      subject: `${code} is your code`,
      text: `Your code is ${code}. It works for 10 minutes. If you did not ask for it, ignore this message.\n`,
    }),
    remind: (title, url, due) => ({
      subject: `Reminder: ${title}`,
      text: `The questionnaire "${title}" is due on ${due}.\n\n${url}\n`,
    }),
    findings: (vendor, from, url, until) => ({
      subject: `Open findings: ${vendor}`,
      text: `${from} asks ${vendor} to work on findings of a security test.\n\nSee them, answer and attach evidence here, no account is needed:\n${url}\n\nThe link works until ${until} and for this address only.\n`,
    }),
    overdue: (vendor, count, url) => ({
      subject: `Overdue findings: ${vendor}`,
      text: `Findings past their date: ${count}. Answer and attach evidence here:\n\n${url}\n`,
    }),
  },
  de: {
    invite: (title, from, url, until) => ({
      subject: `Fragebogen: ${title}`,
      text: `${from} bittet Sie, den Fragebogen „${title}“ zu beantworten.\n\nHier öffnen, ein Konto ist nicht nötig:\n${url}\n\nDer Link gilt bis ${until} und nur für diese Adresse.\n`,
    }),
    code: (code) => ({
      subject: `${code} ist Ihr Code`,
      text: `Ihr Code ist ${code}. Er gilt 10 Minuten. Wenn Sie ihn nicht angefordert haben, ignorieren Sie diese Nachricht.\n`,
    }),
    remind: (title, url, due) => ({
      subject: `Erinnerung: ${title}`,
      text: `Der Fragebogen „${title}“ ist am ${due} fällig.\n\n${url}\n`,
    }),
    findings: (vendor, from, url, until) => ({
      subject: `Offene Feststellungen: ${vendor}`,
      text: `${from} bittet ${vendor}, Feststellungen einer Sicherheitsprüfung zu bearbeiten.\n\nHier ansehen, antworten und Nachweise anhängen, ein Konto ist nicht nötig:\n${url}\n\nDer Link gilt bis ${until} und nur für diese Adresse.\n`,
    }),
    overdue: (vendor, count, url) => ({
      subject: `Überfällige Feststellungen: ${vendor}`,
      text: `Feststellungen nach ihrem Termin: ${count}. Hier antworten und Nachweise anhängen:\n\n${url}\n`,
    }),
  },
  fr: {
    invite: (title, from, url, until) => ({
      subject: `Questionnaire : ${title}`,
      text: `${from} vous invite à répondre au questionnaire « ${title} ».\n\nOuvrez-le ici, sans compte :\n${url}\n\nLe lien est valable jusqu'au ${until} et pour cette adresse seulement.\n`,
    }),
    code: (code) => ({
      subject: `${code} est votre code`,
      text: `Votre code est ${code}. Il est valable 10 minutes. Si vous ne l'avez pas demandé, ignorez ce message.\n`,
    }),
    remind: (title, url, due) => ({
      subject: `Rappel : ${title}`,
      text: `Le questionnaire « ${title} » est attendu pour le ${due}.\n\n${url}\n`,
    }),
    findings: (vendor, from, url, until) => ({
      subject: `Constats ouverts : ${vendor}`,
      text: `${from} demande à ${vendor} de traiter les constats d'un test de sécurité.\n\nConsultez-les, répondez et joignez des preuves ici, sans compte :\n${url}\n\nLe lien est valable jusqu'au ${until} et pour cette adresse seulement.\n`,
    }),
    overdue: (vendor, count, url) => ({
      subject: `Constats en retard : ${vendor}`,
      text: `Constats au-delà de leur date : ${count}. Répondez et joignez des preuves ici :\n\n${url}\n`,
    }),
  },
  es: {
    invite: (title, from, url, until) => ({
      subject: `Cuestionario: ${title}`,
      text: `${from} le pide que responda al cuestionario «${title}».\n\nÁbralo aquí, sin cuenta:\n${url}\n\nEl enlace es válido hasta el ${until} y solo para esta dirección.\n`,
    }),
    code: (code) => ({
      subject: `${code} es su código`,
      text: `Su código es ${code}. Es válido durante 10 minutos. Si no lo ha pedido, ignore este mensaje.\n`,
    }),
    remind: (title, url, due) => ({
      subject: `Recordatorio: ${title}`,
      text: `El cuestionario «${title}» vence el ${due}.\n\n${url}\n`,
    }),
    findings: (vendor, from, url, until) => ({
      subject: `Hallazgos abiertos: ${vendor}`,
      text: `${from} pide a ${vendor} que trate los hallazgos de una prueba de seguridad.\n\nVéalos, responda y adjunte pruebas aquí, sin cuenta:\n${url}\n\nEl enlace es válido hasta el ${until} y solo para esta dirección.\n`,
    }),
    overdue: (vendor, count, url) => ({
      subject: `Hallazgos vencidos: ${vendor}`,
      text: `Hallazgos pasados de fecha: ${count}. Responda y adjunte pruebas aquí:\n\n${url}\n`,
    }),
  },
};

export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
