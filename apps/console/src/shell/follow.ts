import { useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';

interface FollowEvent {
  readonly detail: { readonly href?: string | undefined; readonly external?: boolean | undefined };
  preventDefault(): void;
}

/** For `onFollow` of Cloudscape's links, buttons and navigation. */
export function useFollow(): (event: FollowEvent) => void {
  const router = useRouter();
  return useCallback(
    (event) => {
      const { href, external } = event.detail;
      if (href === undefined || external === true || !href.startsWith('/')) return;
      event.preventDefault();
      router.history.push(href);
    },
    [router],
  );
}

/** Goes to a path of the console. */
export function useGo(): (href: string) => void {
  const router = useRouter();
  return useCallback((href) => router.history.push(href), [router]);
}
