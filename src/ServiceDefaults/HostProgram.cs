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
    }
}
