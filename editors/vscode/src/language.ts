/** The language of `trop.yaml` and `trop.local.yaml`. */
export const LANGUAGE = 'trop';
