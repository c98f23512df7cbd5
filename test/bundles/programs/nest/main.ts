import 'reflect-metadata';
import { Body, Controller, Inject, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EmailBackend, SendError, sendMail } from 'amsdal-mail';
import { MailModule } from 'amsdal-mail/nest';

@Injectable()
class Orders {
  constructor(@Inject(EmailBackend) private readonly mail: EmailBackend) {}

  async confirm(address: string): Promise<{ status: string }> {
    const status = await this.mail.sendMessages([
      { subject: 'Your order', body: 'Thank you!', fromEmail: 'shop@example.com', to: [address] },
    ]);
    return { status: status.recipients.get(address)?.status ?? 'nobody' };
  }
}

@Controller('orders')
class OrdersController {
  // The metadata of the constructor says what to inject.
  constructor(
    private readonly orders: Orders,
    private readonly mail: EmailBackend,
  ) {}

  @Post()
  async create(@Body() body: { address: string }): Promise<object> {
    return this.orders.confirm(body.address);
  }

  @Post('by-function')
  async byFunction(@Body() body: { address: string }): Promise<object> {
    try {
      const mail = { subject: 'Again', message: 'Hi', fromEmail: 'shop@example.com', recipientList: [body.address] };
      const status = await sendMail({ ...mail, connection: this.mail });
      return { isSuccess: status.isSuccess };
    } catch (error) {
      if (error instanceof SendError) return { code: error.code };
      throw error;
    }
  }
}

@Module({
  imports: [MailModule.forRootAsync({ useFactory: () => ({ verify: true }) })],
  controllers: [OrdersController],
  providers: [Orders],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.enableShutdownHooks();
  await app.listen(Number(process.env['PORT']), '127.0.0.1');
  console.log('listening');
}

void main();
