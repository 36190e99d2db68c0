import { createRootRoute, createRoute, Outlet, redirect } from '@tanstack/react-router';
import { createElement } from 'react';
import { queryClient } from './api/query-client.ts';
import { EnrolPage } from './session/EnrolPage.tsx';
import { sessionQuery } from './session/session-query.ts';
import { SignInAgainPage } from './session/SignInAgainPage.tsx';
import { SignInPage } from './session/SignInPage.tsx';
import { WelcomePage } from './session/WelcomePage.tsx';
import { FailurePage, UnknownPage } from './shell/FailurePage.tsx';
import { Shell } from './shell/Shell.tsx';

export const root = createRootRoute({
  component: Outlet,
  errorComponent: FailurePage,
  notFoundComponent: UnknownPage,
});

export const welcome = createRoute({ getParentRoute: () => root, path: '/welcome', component: WelcomePage });

export const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (raw: Record<string, unknown>): { next?: string; link?: string } => ({
    ...(typeof raw['next'] === 'string' ? { next: raw['next'] } : {}),
    ...(typeof raw['link'] === 'string' ? { link: raw['link'] } : {}),
  }),
  component: () => createElement(SignInPage, signIn.useSearch()),
});

/** An app wants a factor shown again; needs the session, but none of the shell. */
export const signInAgain = createRoute({
  getParentRoute: () => root,
  path: '/sign-in-again',
  validateSearch: (raw: Record<string, unknown>): { next?: string; factor?: string } => ({
    ...(typeof raw['next'] === 'string' ? { next: raw['next'] } : {}),
    ...(typeof raw['factor'] === 'string' ? { factor: raw['factor'] } : {}),
  }),
  component: () => createElement(SignInAgainPage, signInAgain.useSearch()),
});

export const enrol = createRoute({
  getParentRoute: () => root,
  path: '/enrol',
  beforeLoad: async () => {
    const { actor } = await queryClient.ensureQueryData(sessionQuery);
    if (!actor) throw redirect({ href: '/sign-in' });
  },
  component: EnrolPage,
});

/** Everything inside the shell needs somebody who is signed in and has a factor. */
export const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const { actor, session } = await queryClient.ensureQueryData(sessionQuery);
    if (!actor) throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } });
    if (session?.stage === 'enrol') throw redirect({ href: '/enrol' });
  },
});
