export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { BeforeSend } = await import('amsdal-mail');
  BeforeSend.subscribe((context, next) =>
    next({ ...context, message: context.message.with({ headers: { 'X-Instrumented': 'yes' } }) }),
  );
}
