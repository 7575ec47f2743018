/** Shows a login that was refused, or that went wrong, as a page. */
import { Catch, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AuthorizationError, InternalOAuthError, TokenError } from 'passport-salesforce-oauth2';
import { LoginRefused } from './salesforce.guard.js';

export const escape = (text = '') => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

type LoginError = LoginRefused | AuthorizationError | TokenError | InternalOAuthError;

@Catch(LoginRefused, AuthorizationError, TokenError, InternalOAuthError)
export class LoginFilter implements ExceptionFilter<LoginError> {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(error: LoginError, context: ArgumentsHost) {
    const { httpAdapter } = this.host;
    const response = context.switchToHttp().getResponse();
    httpAdapter.setHeader(response, 'Content-Type', 'text/html; charset=utf-8');
    if (error instanceof LoginRefused) {
      const { message, hint } = error.info;
      const body = `<h1>You are not logged in</h1><p>${escape(message)}</p>
        <p>For the developer: ${escape(hint)}</p><a href="/auth/salesforce">Try again</a>`;
      return httpAdapter.reply(response, body, error.getStatus());
    }
    // Code, stage, host, hint and cause, without any secret.
    new Logger('Login').error(error);
    const body = `<h1>That failed</h1><p>${escape(error.code)}</p><a href="/">Go back</a>`;
    return httpAdapter.reply(response, body, 502);
  }
}
