/** The language of `trop.yaml` and `trop.local.yaml`, and of files whose names are nearly these: they are told so. */
export const LANGUAGE = 'trop';
