/** What one file may cost. A CAIQ workbook has about 300 KB, 30 entries and 20,000 cells; a contract is smaller. */
export const FILE_BYTES_MAX = 20 * 1024 * 1024;
export const ENTRIES_MAX = 2_000;
export const ENTRY_BYTES_MAX = 64 * 1024 * 1024;
export const EXPANDED_BYTES_MAX = 128 * 1024 * 1024;
/** Deflate reaches about 1,030; a sheet of repeated text stays below 100. Only entries above the floor are judged. */
export const EXPANSION_RATIO_MAX = 200;
export const RATIO_FLOOR_BYTES = 1024 * 1024;
export const XML_DEPTH_MAX = 64;
export const SHEETS_MAX = 200;
export const CELLS_MAX = 500_000;
export const MERGES_MAX = 50_000;
/** What a cell can hold in Excel. */
export const CELL_CHARS_MAX = 32_767;
export const ROWS_MAX = 1_048_576;
export const COLUMNS_MAX = 16_384;
export const PAGES_MAX = 2_000;
export const TEXT_CHARS_MAX = 10_000_000;
export const READ_MS_MAX = 30_000;
export const HEAP_MIB_MAX = 384;
export const RESIDENT_MIB_MAX = 900;
