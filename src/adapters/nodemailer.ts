export { NodemailerBackend, type NodemailerOptions, type NodemailerTransporter } from './nodemailer/backend.ts';
export type { NodemailerMail } from './nodemailer/mail.ts';
export { amsdalTransport, type NodemailerInfo, type NodemailerTransport } from './nodemailer/transport.ts';
