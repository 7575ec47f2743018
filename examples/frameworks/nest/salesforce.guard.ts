/** Sends people to Salesforce, and lets them in when they come back. Alike on Express and on Fastify. */
import { HttpException, Injectable } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';

/** The person refused, or the login was lost on its way. */
export class LoginRefused extends HttpException {
  constructor(
    readonly info: { message?: string; hint?: string } = {},
    status = 401,
  ) {
    super(info.message ?? 'The login was refused', status);
  }
}

@Injectable()
export class SalesforceGuard extends AuthGuard('salesforce') {
  /** Passport writes to a response of Node. This makes one of a reply of Fastify. */
  getResponse(context: ExecutionContext) {
    const reply = context.switchToHttp().getResponse();
    if (reply.raw === undefined) return reply; // Express
    return {
      set statusCode(status: number) {
        reply.code(status);
      },
      setHeader: (name: string, value: string) => reply.header(name, value),
      end: () => reply.send(),
    };
  }

  override handleRequest<User>(
    error: unknown,
    user: User | false,
    info: LoginRefused['info'],
    _context: ExecutionContext,
    status?: number,
  ): User {
    if (error) throw error;
    if (!user) throw new LoginRefused(info, status);
    return user;
  }
}
