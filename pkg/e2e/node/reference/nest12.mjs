// The packages of NestJS 12 are in a folder of their own: NestJS 7 has the same names.
import './nest12/server.mjs';
