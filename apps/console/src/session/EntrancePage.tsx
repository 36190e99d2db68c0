import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import type { ReactNode } from 'react';
import '../shell/entrance.css';

/** The frame of every page before the console: signing in, welcome, setting up a factor. */
export function EntrancePage({
  title,
  description,
  children,
}: {
  readonly title: string;
  readonly description?: string;
  readonly children: ReactNode;
}) {
  return (
    <main className="entrance">
      <div className="entrance-card">
        <Box textAlign="center" padding={{ bottom: 'l' }}>
          <Box variant="h2" tagOverride="div">
            Cordon
          </Box>
          <Box color="text-body-secondary">The integration security perimeter</Box>
        </Box>
        <Container
          header={
            <Header variant="h1" {...(description === undefined ? {} : { description })}>
              {title}
            </Header>
          }
        >
          {children}
        </Container>
      </div>
    </main>
  );
}
