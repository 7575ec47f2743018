/** A variable is missing or wrong. The message is for the person who sets it. */
export class ConfigError extends Error {}
