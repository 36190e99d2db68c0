import TopNavigation, { type TopNavigationProps } from '@cloudscape-design/components/top-navigation';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { reloadSession, useSession } from '../session/session-query.ts';
import { useFollow, useGo } from './follow.ts';
import { chooseTheme, type ThemeChoice, useThemeChoice } from './theme.ts';

const THEMES: Readonly<Record<ThemeChoice, string>> = {
  system: 'Follow the system',
  light: 'Light',
  dark: 'Dark',
};

function isTheme(id: string): id is ThemeChoice {
  return id in THEMES;
}

export function TopBar() {
  const follow = useFollow();
  const go = useGo();
  const session = useSession();
  const theme = useThemeChoice();
  const signOut = useCommand({
    run: async () => taken(await api.POST('/api/v1/auth/sign-out')),
    done: 'You are signed out.',
    onDone: ({ url }) => {
      // Whoever came through a provider signs out there, too; otherwise its next sign-in would ask for nothing.
      if (url !== null) window.location.assign(url);
      else void reloadSession().then(() => go('/sign-in'));
    },
  });
  const themeMenu: TopNavigationProps.MenuDropdownUtility = {
    type: 'menu-dropdown',
    iconName: 'settings',
    ariaLabel: 'Appearance',
    title: 'Appearance',
    items: Object.entries(THEMES).map(([id, text]) => ({
      id,
      text,
      itemType: 'checkbox' as const,
      checked: id === theme,
    })),
    onItemClick: ({ detail }) => {
      if (isTheme(detail.id)) chooseTheme(detail.id);
    },
  };
  const personMenu: TopNavigationProps.MenuDropdownUtility = {
    type: 'menu-dropdown',
    iconName: 'user-profile',
    text: session?.actor?.name ?? '',
    description: (session?.actor?.roles ?? []).join(', '),
    items: [
      { id: '/account', text: 'Your account', href: '/account' },
      { id: '/my-apps', text: 'My apps', href: '/my-apps' },
      { id: 'sign-out', text: 'Sign out' },
    ],
    onItemClick: ({ detail }) => {
      if (detail.id === 'sign-out') signOut.mutate();
    },
    onItemFollow: follow,
  };
  return (
    <div id="top-bar">
      <TopNavigation
        identity={{ title: 'Cordon', href: '/', onFollow: follow }}
        i18nStrings={{ overflowMenuTriggerText: 'More', overflowMenuTitleText: 'All' }}
        utilities={[themeMenu, personMenu]}
      />
    </div>
  );
}
