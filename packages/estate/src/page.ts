/** Lists are small (an organisation has hundreds of apps, not millions), but never unbounded. */
export const LIST_MAX = 2_000;
