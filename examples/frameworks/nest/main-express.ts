/** Log in with Salesforce: NestJS 12 on Express, with express-session. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import session from 'express-session';
import { LoginModule } from './login.module.js';
import { BASE_URL, SESSION_SECRET, secure } from './salesforce.strategy.js';

const app = await NestFactory.create<NestExpressApplication>(LoginModule, { logger: ['error'] });
if (secure) app.set('trust proxy', 1); // the proxy that ends TLS
app.use(
  session({
    secret: SESSION_SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: 'lax', secure },
  }),
);
await app.listen(process.env.PORT ?? 3000);
console.log(`Open ${BASE_URL}`);
