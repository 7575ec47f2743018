/** Login, callback, the page of the person, and logout. */
import { promisify } from 'node:util';
import {
  Controller,
  Get,
  Header,
  Module,
  Post,
  Redirect,
  Req,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { LoginFilter, escape } from './login.filter.js';
import { SalesforceGuard } from './salesforce.guard.js';
import { SalesforceStrategy } from './salesforce.strategy.js';
import type { Person } from './salesforce.strategy.js';

type Done = (error?: unknown) => void;

/** The sessions of express-session and @fastify/session have this in common. */
interface LoginRequest {
  user: Person;
  session: { user?: Person; regenerate(done: Done): void; destroy(done: Done): void };
}

@Controller()
@UseFilters(LoginFilter)
class LoginController {
  constructor(private readonly strategy: SalesforceStrategy) {}

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  home(@Req() { session: { user } }: LoginRequest) {
    return user
      ? `<p>Signed in as ${escape(user.name)}.</p>
         <form method="post" action="/logout"><button>Log out</button></form>`
      : '<a href="/auth/salesforce">Log in with Salesforce</a>';
  }

  @Get('auth/salesforce')
  @UseGuards(SalesforceGuard)
  begin() {
    // The guard has sent the person to Salesforce.
  }

  @Get('auth/salesforce/callback')
  @UseGuards(SalesforceGuard)
  @Redirect('/')
  async finish(@Req() request: LoginRequest) {
    const { session, user } = request;
    // A new id: a stranger may know the old one.
    await promisify(session.regenerate.bind(session))();
    request.session.user = user;
  }

  @Post('logout')
  @Redirect('/', 303)
  async logout(@Req() { session }: LoginRequest) {
    const { user } = session;
    await promisify(session.destroy.bind(session))();
    if (user) await this.strategy.tokensOf(user).revoke().catch(console.error);
  }
}

@Module({ controllers: [LoginController], providers: [SalesforceStrategy] })
export class LoginModule {}
