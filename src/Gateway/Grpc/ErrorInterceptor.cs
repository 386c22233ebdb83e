using Grpc.Core;
using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using Muster.Domain;
using Orleans.Runtime.Messaging;

namespace Muster.Gateway.Grpc;

/// <summary>
/// Turns what goes wrong into a status. Faults that pass are UNAVAILABLE; anything unknown is INTERNAL with an id that is in the
/// log, and no word of the exception leaves the host. Also the limit of a call's time.
/// </summary>
internal sealed partial class ErrorInterceptor(
    IOptions<OperatorsOptions> options, TimeProvider clock, ILogger<ErrorInterceptor> logger) : CallInterceptor
{
    protected override async Task AroundAsync(object? request, ServerCallContext context, Func<Task> next)
    {
        try
        {
            await LimitAsync(context, next());
        }
        catch (RpcException)
        {
            throw;
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "The caller cancelled the call, or its deadline passed."));
        }
        catch (Exception exception) when (exception is StoreFullException or FeedFullException)
        {
            LogUnavailable(logger, exception, context.Method);
            throw FleetErrors.ToRpcException(FleetError.Of(
                ErrorKind.Exhausted, exception is StoreFullException ? "STORE_FULL" : "FEED_FULL", exception.Message));
        }
        catch (RecordUnreadableException exception)
        {
            LogUnavailable(logger, exception, context.Method);
            throw FleetErrors.ToRpcException(FleetError.Of(ErrorKind.Precondition, "RECORD_UNREADABLE", exception.Message));
        }
        catch (Exception exception) when (IsPassing(exception))
        {
            LogUnavailable(logger, exception, context.Method);
            throw FleetErrors.Unavailable("The store or a silo does not answer.");
        }
#pragma warning disable CA1031 // The edge of the process: whatever it is becomes a status, and the log has it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var id = Guid.NewGuid().ToString("N");
            LogInternal(logger, exception, context.Method, id);
            throw FleetErrors.Internal(id);
        }
    }

    /// <summary>Faults after which the same call may pass.</summary>
    internal static bool IsPassing(Exception exception) => exception switch
    {
        CommitConflictException or StoreUnavailableException or FenceRaisedException => true,
        StoreFullException or FeedFullException => true,
        TimeoutException or SiloUnavailableException or OrleansMessageRejectionException => true,
        ConnectionFailedException or ClientNotAvailableException or GatewayTooBusyException => true,
        AggregateException many => many.InnerExceptions.All(IsPassing),
        _ => false,
    };

    private Task LimitAsync(ServerCallContext context, Task call)
    {
        // Watches end with their caller, and whatever goes through all records takes its time; the connection's keep-alive finds a caller
        // that is gone.
        var limit = context.Method switch
        {
            var method when method.Contains("/Watch", StringComparison.Ordinal) => Timeout.InfiniteTimeSpan,
            var method when method.StartsWith("/muster.v1.Maintenance/", StringComparison.Ordinal) => Timeout.InfiniteTimeSpan,
            var method when method.StartsWith("/muster.v1.Transfers/", StringComparison.Ordinal) => Timeout.InfiniteTimeSpan,
            "/muster.v1.Deliveries/ImportDelivery" => Timeout.InfiniteTimeSpan,
            "/muster.v1.Images/UploadImage" or "/muster.v1.Images/AppendUpload" => options.Value.UploadTimeout,
            var method when method.EndsWith("/ServerReflectionInfo", StringComparison.Ordinal) => Timeout.InfiniteTimeSpan,
            _ => options.Value.CallTimeout,
        };
        return limit == Timeout.InfiniteTimeSpan ? call : call.WaitAsync(limit, clock, context.CancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Method} is not possible now")]
    private static partial void LogUnavailable(ILogger logger, Exception exception, string method);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed; the caller has the id {Id}")]
    private static partial void LogInternal(ILogger logger, Exception exception, string method, string id);
}
