using Muster.Cli;

return await MusterCommand.RunAsync(args, Console.Out, Console.Error);
