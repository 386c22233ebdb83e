using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Muster.ServiceDefaults;

/// <summary>Runs a host's program. What an operator can put right ends it with a sentence, not with a stack trace.</summary>
public static class HostProgram
{
    /// <summary>The exit code of a host that refused to start.</summary>
    public const int RefusedExitCode = 1;

    public static async Task<int> RunAsync(Func<Task> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        try
        {
            await run();
            return 0;
        }
        catch (Exception refused) when (refused is StartRefusedException or OptionsValidationException)
        {
            await Console.Error.WriteLineAsync(refused.Message);
            return RefusedExitCode;
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync(
                $"{taken.Message} Another program listens there, perhaps another Muster: stop it, or choose another port by "
                + "Muster:Mqtt:Port, Muster:DeviceHttps:Port, Muster:Grpc:Port or Muster:Health:Port.");
            return RefusedExitCode;
        }
    }
}
