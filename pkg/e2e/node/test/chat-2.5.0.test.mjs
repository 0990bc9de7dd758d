import { chatSuite } from '../suite/chat.mjs';

chatSuite('2.5.0');
