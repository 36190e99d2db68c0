import Link, { type LinkProps } from '@cloudscape-design/components/link';
import type { ReactNode } from 'react';
import { useFollow } from './follow.ts';

/** A link within the console: no page load, and still a link that can be opened in a new tab. */
export function RouteLink({
  href,
  children,
  variant,
  ariaLabel,
}: {
  readonly href: string;
  readonly children: ReactNode;
  readonly variant?: LinkProps.Variant;
  readonly ariaLabel?: string;
}) {
  const follow = useFollow();
  return (
    <Link href={href} onFollow={follow} {...(variant ? { variant } : {})} {...(ariaLabel ? { ariaLabel } : {})}>
      {children}
    </Link>
  );
}
