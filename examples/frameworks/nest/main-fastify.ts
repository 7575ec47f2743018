/** Log in with Salesforce: NestJS 12 on Fastify, with @fastify/session. */
import 'reflect-metadata';
import cookie from '@fastify/cookie';
import session from '@fastify/session';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { LoginModule } from './login.module.js';
import { BASE_URL, SESSION_SECRET, secure } from './salesforce.strategy.js';

const adapter = new FastifyAdapter({ trustProxy: secure });
const app = await NestFactory.create<NestFastifyApplication>(LoginModule, adapter, {
  logger: ['error'],
});
await app.register(cookie);
await app.register(session, {
  secret: SESSION_SECRET, // 32 characters or more
  saveUninitialized: false,
  cookie: { sameSite: 'lax', secure },
});
await app.listen(process.env.PORT ?? 3000);
console.log(`Open ${BASE_URL}`);
