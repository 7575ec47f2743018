declare module 'passport-oauth2-refresh' {
  type Done = (
    error: unknown,
    accessToken?: string,
    refreshToken?: string,
    params?: object,
  ) => void;

  /** As documented; the package has no declarations of its own. */
  export class AuthTokenRefresh {
    use(strategy: object): void;
    has(name: string): boolean;
    requestNewAccessToken(name: string, refreshToken: string, done: Done): void;
    requestNewAccessToken(name: string, refreshToken: string, params: object, done: Done): void;
  }
}
