import { describe, it } from 'vitest';
import { describeBackend } from '../../../src/testing/contract/backend-contract.ts';
import { dummySubject, fileSubject, inboxSubject, sesSubject, smtpServerSubject, smtpSubject } from './subjects.ts';

describeBackend('dummy', dummySubject, { describe, it, lacks: ['stall', 'loseAnswers'] });
describeBackend('inbox', inboxSubject, { describe, it, lacks: ['loseAnswers'] });
describeBackend('file', fileSubject, { describe, it, lacks: ['refuse', 'stall', 'loseAnswers'] });
describeBackend('smtp', () => smtpSubject(), { describe, it });
describeBackend('ses', sesSubject, { describe, it });
describeBackend('smtp, to a server that is not ours', smtpServerSubject, { describe, it });
