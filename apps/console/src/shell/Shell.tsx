import AppLayout from '@cloudscape-design/components/app-layout';
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import Flashbar from '@cloudscape-design/components/flashbar';
import SideNavigation from '@cloudscape-design/components/side-navigation';
import SplitPanel from '@cloudscape-design/components/split-panel';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { useCan } from '../session/session-query.ts';
import { StepUpDialog } from '../session/StepUpDialog.tsx';
import { useFollow } from './follow.ts';
import { type Crumb, type Frame, FrameContext } from './frame.ts';
import { activeHref, navigationItems } from './navigation.ts';
import { dismiss, useNotifications } from './notifications.ts';
import { TopBar } from './TopBar.tsx';
import { isNarrowNow, useIsNarrow } from './use-is-narrow.ts';

const NAVIGATION_WIDTH = 240;
const PANEL_WIDTH = 420;

interface Panel {
  readonly header: string;
  readonly onClose: () => void;
}

/** Everything around a page: bar, navigation, notifications, breadcrumbs, and the panel that a page may open. */
export function Shell() {
  const follow = useFollow();
  const can = useCan();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isNarrow = useIsNarrow();
  // A narrow screen begins with the page, a wide one with the navigation; each remembers its own.
  const [isOpen, setOpen] = useState({ narrow: false, wide: true });
  const setNavigationOpen = (open: boolean): void =>
    setOpen((now) => ({ ...now, [isNarrowNow() ? 'narrow' : 'wide']: open }));
  const [crumbs, setCrumbs] = useState<readonly Crumb[]>([]);
  const [panel, setPanel] = useState<Panel | null>(null);
  const [panelSlot, setPanelSlot] = useState<HTMLElement | null>(null);
  const [panelSize, setPanelSize] = useState(PANEL_WIDTH);
  // Stable, since the page's panel closes whenever this changes.
  const closePanel = useCallback(() => setPanel(null), []);
  const frame = useMemo<Frame>(
    () => ({ panelSlot, setCrumbs, openPanel: setPanel, closePanel }),
    [panelSlot, closePanel],
  );
  return (
    <FrameContext value={frame}>
      <TopBar />
      <AppLayout
        headerSelector="#top-bar"
        toolsHide
        maxContentWidth={1_800}
        stickyNotifications
        navigationWidth={NAVIGATION_WIDTH}
        navigationOpen={isNarrow ? isOpen.narrow : isOpen.wide}
        onNavigationChange={({ detail }) => setNavigationOpen(detail.open)}
        navigation={
          <SideNavigation
            activeHref={activeHref(path)}
            items={navigationItems(can)}
            onFollow={(event) => {
              follow(event);
              if (isNarrow) setNavigationOpen(false);
            }}
          />
        }
        breadcrumbs={
          <BreadcrumbGroup
            items={[{ text: 'Cordon', href: '/' }, ...crumbs]}
            onFollow={follow}
            ariaLabel="Breadcrumbs"
          />
        }
        notifications={<Notifications />}
        content={<Outlet />}
        splitPanel={
          panel ? (
            <SplitPanel header={panel.header} closeBehavior="hide" hidePreferencesButton>
              <div ref={setPanelSlot} />
            </SplitPanel>
          ) : null
        }
        splitPanelOpen={panel !== null}
        splitPanelPreferences={{ position: 'side' }}
        splitPanelSize={panelSize}
        onSplitPanelResize={({ detail }) => setPanelSize(detail.size)}
        onSplitPanelToggle={({ detail }) => {
          if (!detail.open) panel?.onClose();
        }}
      />
      <StepUpDialog />
    </FrameContext>
  );
}

function Notifications() {
  const notifications = useNotifications();
  return (
    <Flashbar
      items={notifications.map(({ id, type, text, detail }) => ({
        id,
        type,
        header: text,
        ...(detail === undefined ? {} : { content: detail }),
        dismissible: true,
        dismissLabel: 'Dismiss',
        onDismiss: () => dismiss(id),
      }))}
    />
  );
}
