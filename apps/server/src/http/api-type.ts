import type { createServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@cordon/kernel';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';

/** The API's Fastify: plain HTTP server, our logger, zod schemas. */
export type ApiServer = FastifyInstance<
  ReturnType<typeof createServer>,
  IncomingMessage,
  ServerResponse,
  Logger,
  ZodTypeProvider
>;
