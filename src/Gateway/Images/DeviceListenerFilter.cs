namespace Muster.Gateway.Images;

/// <summary>Of everything that devices may ask by HTTPS: on other listeners it does not exist, and each device asks at its pace.</summary>
internal sealed class DeviceListenerFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!DeviceArtifactsExtensions.IsDeviceListener(http))
        {
            return TypedResults.NotFound();
        }

        if (DeviceArtifactsExtensions.PlaceOf(http) is { } place)
        {
            await place.WaitAsync(http.RequestAborted);
        }

        return await next(context);
    }
}
