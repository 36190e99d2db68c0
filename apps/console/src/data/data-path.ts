/** The page of a data set. */
export const setPath = ({ app, object }: { readonly app: string; readonly object: string }): string =>
  `/data/${encodeURIComponent(app)}/${encodeURIComponent(object)}`;
