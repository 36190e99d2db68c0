/** What a field for one file says. */
export const UPLOAD_TEXTS = {
  uploadButtonText: () => 'Choose a file',
  dropzoneText: () => 'Drop the file here',
  removeFileAriaLabel: () => 'Remove the file',
  limitShowFewer: 'Show fewer',
  limitShowMore: 'Show more',
  errorIconAriaLabel: 'Error',
};
