import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import type { ReactNode } from 'react';
import { type Crumb, useCrumbs } from './frame.ts';

/** A page's heading, with its breadcrumbs; `parents` are the pages above it. */
export function Page({
  title,
  description,
  parents = [],
  actions,
  children,
}: {
  readonly title: string;
  readonly description?: ReactNode;
  readonly parents?: readonly Crumb[];
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  useCrumbs([...parents, { text: title, href: window.location.pathname }]);
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={description} actions={actions}>
          {title}
        </Header>
      }
    >
      {children}
    </ContentLayout>
  );
}
