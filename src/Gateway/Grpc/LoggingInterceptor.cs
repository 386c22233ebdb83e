using Grpc.Core;

namespace Muster.Gateway.Grpc;

/// <summary>One line per call that was refused, one at Debug for every other. Never what was in it.</summary>
internal sealed partial class LoggingInterceptor(TimeProvider clock, ILogger<LoggingInterceptor> logger) : CallInterceptor
{
    protected override async Task AroundAsync(object? request, ServerCallContext context, Func<Task> next)
    {
        var started = clock.GetTimestamp();
        try
        {
            await next();
            var (caller, milliseconds) = (OperatorOf(context), clock.GetElapsedTime(started).TotalMilliseconds);
            LogDone(logger, context.Method, caller, milliseconds);
        }
        catch (RpcException refusal) when (refusal.StatusCode is not StatusCode.Cancelled)
        {
            var reason = refusal.GetRpcStatus()?.GetDetail<Google.Rpc.ErrorInfo>()?.Reason ?? "";
            var (caller, code) = (OperatorOf(context), refusal.StatusCode);
            LogRefused(logger, context.Method, caller, code, reason);
            throw;
        }
    }

    private static string OperatorOf(ServerCallContext context) =>
        context.UserState.TryGetValue(typeof(Caller), out var caller) && caller is Caller known ? known.Operator.Value : "";

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} of {Operator} took {Milliseconds} ms")]
    private static partial void LogDone(ILogger logger, string method, string @operator, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} of {Operator} is refused: {Code} {Reason}")]
    private static partial void LogRefused(ILogger logger, string method, string @operator, StatusCode code, string reason);
}
