using Muster.Simulator;

return await SimulatorCommand.Create().Parse(args).InvokeAsync();
