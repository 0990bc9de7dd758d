import { chatSuite } from '../suite/chat.mjs';

chatSuite('1.7.4');
