/** The error for a variable that is missing or wrong, and for a machine that is not ready. */

/** The message is for the person who starts the example. */
export class ConfigError extends Error {}
