import type { Planter } from '../planter.ts';

export const COMPANY = 'Meridian Supply';
export const DOMAIN = 'meridian-supply.example';

/** Someone who exists in several of the emulated apps: the same record, spread. */
export interface Person {
  readonly login: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly ssn: string;
  readonly iban: string;
  readonly title: string;
}

// oxfmt-ignore
const NAMES = [
  'Ada Moreno', 'Bruno Keller', 'Chiara Rossi', 'Daniel Okafor', 'Elif Yildiz', 'Farid Haddad', 'Grace Lindqvist',
  'Hiro Tanaka', 'Ines Carvalho', 'Jonas Weber', 'Katja Novak', 'Liam Byrne', 'Mina Park', 'Noah Fischer',
  'Olga Petrova', 'Priya Raman', 'Quentin Dubois', 'Rosa Jimenez', 'Sven Dahl', 'Tara Quinn', 'Umar Siddiqui',
  'Vera Kovacs', 'Wen Li', 'Yara Costa',
] as const;

const TITLES = [
  'Account Executive',
  'Support Engineer',
  'Site Reliability Engineer',
  'Buyer',
  'Controller',
  'Recruiter',
];

/** The staff of the planted company. */
export function plantPeople(planter: Planter): readonly Person[] {
  return NAMES.map((name) => {
    const [firstName = name, lastName = ''] = name.split(' ');
    const login = `${firstName.charAt(0)}${lastName}`.toLowerCase();
    return {
      login,
      firstName,
      lastName,
      name,
      email: `${firstName}.${lastName}@${DOMAIN}`.toLowerCase(),
      phone: planter.phone(),
      ssn: planter.ssn(),
      iban: planter.iban(),
      title: planter.pick(TITLES),
    };
  });
}
