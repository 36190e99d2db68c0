import type { PortalLanguage } from './portal-texts.ts';

const en = {
  title: 'Open findings',
  none: 'Nothing is open. Thank you.',
  due: 'Due',
  overdue: 'overdue',
  recommended: 'Recommended',
  reply: 'Your answer',
  isFixed: 'It is fixed',
  send: 'Send the answer',
  attach: 'Attach evidence',
  they: 'Whoever asks you',
  severity: { critical: 'critical', high: 'high', medium: 'medium', low: 'low', info: 'information' },
  state: {
    open: 'open',
    fixed: 'you say it is fixed',
    retest: 'it is tested again',
    closed: 'closed',
    accepted: 'accepted',
  },
};
export type FindingTexts = Readonly<typeof en>;

const de: FindingTexts = {
  title: 'Offene Feststellungen',
  none: 'Nichts ist offen. Vielen Dank.',
  due: 'Fällig',
  overdue: 'überfällig',
  recommended: 'Empfohlen',
  reply: 'Ihre Antwort',
  isFixed: 'Es ist behoben',
  send: 'Antwort senden',
  attach: 'Nachweis anhängen',
  they: 'Wer Sie fragt',
  severity: { critical: 'kritisch', high: 'hoch', medium: 'mittel', low: 'niedrig', info: 'Hinweis' },
  state: {
    open: 'offen',
    fixed: 'laut Ihnen behoben',
    retest: 'wird erneut geprüft',
    closed: 'geschlossen',
    accepted: 'akzeptiert',
  },
};

const fr: FindingTexts = {
  title: 'Constats ouverts',
  none: "Rien n'est ouvert. Merci.",
  due: 'Échéance',
  overdue: 'en retard',
  recommended: 'Recommandé',
  reply: 'Votre réponse',
  isFixed: 'Le problème est corrigé',
  send: 'Envoyer la réponse',
  attach: 'Joindre une preuve',
  they: 'Votre interlocuteur',
  severity: { critical: 'critique', high: 'élevée', medium: 'moyenne', low: 'faible', info: 'information' },
  state: {
    open: 'ouvert',
    fixed: 'corrigé selon vous',
    retest: 'nouveau test en cours',
    closed: 'clos',
    accepted: 'accepté',
  },
};

const es: FindingTexts = {
  title: 'Hallazgos abiertos',
  none: 'No hay nada abierto. Gracias.',
  due: 'Vence',
  overdue: 'vencido',
  recommended: 'Recomendado',
  reply: 'Su respuesta',
  isFixed: 'Está corregido',
  send: 'Enviar la respuesta',
  attach: 'Adjuntar una prueba',
  they: 'Quien le pregunta',
  severity: { critical: 'crítica', high: 'alta', medium: 'media', low: 'baja', info: 'información' },
  state: {
    open: 'abierto',
    fixed: 'corregido según usted',
    retest: 'se prueba de nuevo',
    closed: 'cerrado',
    accepted: 'aceptado',
  },
};

/** What the portal says about findings, in the languages of the people who are asked. */
export const FINDING_TEXTS: Readonly<Record<PortalLanguage, FindingTexts>> = { en, de, fr, es };
