import { chatSuite } from '../suite/chat.mjs';

chatSuite('1.4.5');
