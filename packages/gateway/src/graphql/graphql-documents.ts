import type { BlobStore } from '../blob-store.ts';

export class GraphqlDocuments {
  readonly #blobs: BlobStore;
  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }
}
